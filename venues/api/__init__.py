"""The markets' doors for machines."""
