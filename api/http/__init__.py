"""The library over HTTP. The only place that knows FastAPI and uvicorn."""
