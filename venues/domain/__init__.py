"""What a venue is to us, without saying which one."""
