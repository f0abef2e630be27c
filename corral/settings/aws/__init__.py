"""What a stack file may say about AWS."""
