"""The schema as Python sees it. The migrations make it; a test holds the two together."""

from db.models.base import Base
from db.models.campaigns import Campaign, CampaignDevice, DepartedTotal, DraftFile, DraftPerson, RejectedRow
from db.models.cloud import Alert, CloudNumber, Conversation, Media, MediaUpload, MessageTemplate, Pair
from db.models.fleet import BridgeHost, Device, Workspace
from db.models.messages import Attempt, Message
from db.models.people import Lead, Suppression
from db.models.records import Audit, Event, Mark, MinuteCount, Process, Repeat, Report

__all__ = [
    "Alert",
    "Attempt",
    "Audit",
    "Base",
    "BridgeHost",
    "Campaign",
    "CampaignDevice",
    "CloudNumber",
    "Conversation",
    "DepartedTotal",
    "Device",
    "DraftFile",
    "DraftPerson",
    "Event",
    "Lead",
    "Mark",
    "Media",
    "MediaUpload",
    "Message",
    "MessageTemplate",
    "MinuteCount",
    "Pair",
    "Process",
    "RejectedRow",
    "Repeat",
    "Report",
    "Suppression",
    "Workspace",
]
