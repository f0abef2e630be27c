"""What Calico Enterprise has and Calico Open Source hasn't: fixed addresses for what leaves the
cluster, and policies that speak of names."""
