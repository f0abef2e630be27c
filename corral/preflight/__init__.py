"""Looking at what `up` will need, before it: nothing here changes anything."""
