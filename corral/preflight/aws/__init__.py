"""What an AWS account has, allows and offers of what a stack will ask it for."""
