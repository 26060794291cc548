"""What people type: one module a noun; each declares options and calls one service."""
