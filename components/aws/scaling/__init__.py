"""What the controllers that start and drain nodes need of AWS: rights, and queues of events."""
