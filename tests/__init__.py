"""The tests, laid out as the source is: tests/<app>/<floor>/test_<noun>.py."""
