module corral.invalid/load

go 1.26.0
