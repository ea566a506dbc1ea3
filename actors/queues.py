"""The queues, by urgency. Dramatiq takes the lower priority number first within a worker."""

SENDS, SENDS_PRIORITY = "sends", 10
CAMPAIGNS, CAMPAIGNS_PRIORITY = "campaigns", 5
UPKEEP, UPKEEP_PRIORITY = "upkeep", 0  # recovery and health: short, few, and what everything else waits for
EVENTS, EVENTS_PRIORITY = "events", 20

ALL = (UPKEEP, CAMPAIGNS, SENDS, EVENTS)
