"""The rows of the library, on SQLite or PostgreSQL. The only place that knows SQLAlchemy."""
