"""Small programs that have everything that any stack on AWS has."""
