"""The runtime, written once as async; `parlance._sync` is made of it by `make sdk`."""
