"""Made from openapi.json by `make sdk`."""
