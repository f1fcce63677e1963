"""The addresses of the promises' API."""

urlpatterns = []
