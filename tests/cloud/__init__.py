"""Programs run against moto: what they register is created there, and then walked over."""
