"""Meta's Cloud API: the official way to WhatsApp, and the fast one (R28)."""
