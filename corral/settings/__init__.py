"""What a stack file may say: strict, frozen models, and errors that name the way out."""
