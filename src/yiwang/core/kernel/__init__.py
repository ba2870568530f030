"""What every other part of the core stands on: errors that say where, and validity periods. Keep it tiny."""
