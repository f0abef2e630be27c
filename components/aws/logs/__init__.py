"""Where logs of containers are kept in AWS."""
