"""What stands between this machine and a drive: ``examine`` looks at everything and says how to mend it."""
