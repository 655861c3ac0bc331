"""Mappings that come with the program, as data. The user's own columns go before these.

fixmystreet: the CSV export of FixMyStreet Pro. signalen: JSON lines of Signalen's signals. The
Swedish case systems let each municipality name its columns, so df_respons and tycktill are where
to begin; `lagesbild source map FILE` shows what a file really has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Preset = Literal["fixmystreet", "df_respons", "signalen", "tycktill"]

PRESETS: Mapping[Preset, Mapping[str, Any]] = {
    "fixmystreet": {
        "columns": {
            "id": "Report ID",
            "text": ("Title", "Detail"),
            "category": "Category",
            "subcategory": "Subcategory",
            "reported_at": "Created",
            "updated_at": "Acknowledged",
            "closed_at": ("Fixed", "Closed"),
            "status": "Status",
            "lat": "Latitude",
            "lon": "Longitude",
            "areas": {"ward": "Ward"},
        },
    },
    "df_respons": {
        "columns": {
            "id": "Ärendenummer",
            "text": ("Rubrik", "Beskrivning"),
            "category": "Kategori",
            "subcategory": "Underkategori",
            "reported_at": "Inkommen",
            "updated_at": "Ändrad",
            "closed_at": "Avslutad",
            "status": "Status",
            "type": "Ärendetyp",
            "lat": "Latitud",
            "lon": "Longitud",
            "areas": {"stadsdel": "Stadsdel"},
        },
    },
    "tycktill": {
        "columns": {
            "id": "Ärende-ID",
            "text": ("Rubrik", "Synpunkt"),
            "category": "Kategori",
            "subcategory": "Underkategori",
            "reported_at": "Skapad",
            "updated_at": "Uppdaterad",
            "closed_at": "Avslutad",
            "status": "Status",
            "type": "Typ",
            "latlon": "Koordinater",
            "areas": {"stadsdel": "Stadsdel"},
        },
    },
    "signalen": {
        "columns": {
            "id": "id",
            "text": ("text", "text_extra"),
            "category": "category_assignment.category.name",
            "reported_at": "created_at",
            "occurred_at": "incident_date_start",
            "updated_at": "updated_at",
            "status": "status.state",
            "latlon": "location.geometrie",
            "areas": {"stadsdeel": "location.stadsdeel", "buurt": "location.buurt_code"},
        },
        # Signalen's states: reported, awaiting, in progress, on hold; done, cancelled, split
        "status_words": {
            "m": "open",
            "i": "open",
            "b": "open",
            "h": "open",
            "ingepland": "open",
            "reopened": "open",
            "o": "closed",
            "a": "closed",
            "s": "closed",
        },
    },
}

SurveyPreset = Literal[
    "limesurvey",
    "surveymonkey",
    "surveygizmo",
    "google_forms",
    "microsoft_forms",
    "typeform",
]

# Columns of the survey tools' own; a list has the spellings seen, the first that is there is used.
# `complete_when`: values of `completed` that mean a finished answer, () for "anything at all".
SURVEY_PRESETS: Mapping[SurveyPreset, Mapping[str, Any]] = {
    "limesurvey": {
        "respondent": ("id", "Response ID", "Svars-ID"),
        "submitted_at": ("submitdate", "Date submitted", "Datum inskickat"),
        "completed": ("submitdate", "Date submitted", "Datum inskickat"),
        "complete_when": (),
    },
    "surveymonkey": {
        "respondent": ("Respondent ID", "respondent_id", "Svarande-ID"),
        "submitted_at": ("End Date", "date_modified", "Slutdatum"),
        "complete_when": (),
    },
    "surveygizmo": {
        "respondent": ("Response ID", "Internal ID"),
        "submitted_at": ("Date Submitted",),
        "completed": ("Status",),
        "complete_when": ("Complete",),
    },
    "google_forms": {
        "submitted_at": ("Timestamp", "Tidstämpel"),
        "complete_when": (),
    },
    "microsoft_forms": {
        "respondent": ("ID", "Id"),
        "submitted_at": ("Completion time", "Slutförandetid", "Sluttid"),
        "completed": ("Completion time", "Slutförandetid", "Sluttid"),
        "complete_when": (),
    },
    "typeform": {
        "respondent": ("#", "Response ID", "Token"),
        "submitted_at": ("Submit Date (UTC)", "Submitted At", "Submit Date"),
        "complete_when": (),
    },
}
