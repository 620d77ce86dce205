"""Students held against each other: by a judge, by people, in one table."""
