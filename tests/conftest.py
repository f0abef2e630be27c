"""What every room's tests may use."""

pytest_plugins = ["tests.control_plane", "tests.project_copy"]
