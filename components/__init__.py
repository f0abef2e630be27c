"""What is provisioned: layers of resources, each a component beside the pure functions it uses."""
