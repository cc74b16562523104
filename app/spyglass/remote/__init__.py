"""Places where one can run a command and dial a TCP port; the only importers of paramiko."""
