"""What scrapes, keeps, judges, tells and shows: kube-prometheus-stack and what goes with it."""
