"""What outlives a run: profiles, settings, secrets, and the directories that hold them."""
