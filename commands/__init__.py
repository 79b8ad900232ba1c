"""What the commands of server.py do, given plain values; server.py reads the settings and the arguments."""
