"""The API, version 1: OpenAPI 3.1, RFC 9457 problems, cursors, entity tags, idempotency keys."""
