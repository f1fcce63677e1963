"""The promises' doors for machines."""
