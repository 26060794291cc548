"""Pipeline jobs: planned from their YAML, run step by step, finished steps reused."""
