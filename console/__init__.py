"""The console: what people see of Fanfare. Streamlit is imported nowhere else."""

# Settings without which it cannot run
NEEDED = ("database_url", "console_password", "bridge_url", "bridge_secret")
