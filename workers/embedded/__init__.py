"""PostgreSQL and Redis from wheels, in one home folder, for a machine that has nothing else.

It owns the home's layout, its secrets and the environment that all processes of a home share.
It does not own the supervisor, which takes these services as data.
"""
