"""What `BotPlatform` does and refuses, and where we know it from.

The platform is made up. "Documented" means that the platform most bots are written for documents this very behaviour, as
quoted by its client libraries and by copies of its pages, which is what was read;
codes, field names and the shape of answers are ours throughout.
"""

from __future__ import annotations

from datetime import date

from ..parts.behaviours import Assumed, Behaviour, Documented

_READ = date(2026, 11, 21)
_API = "https://core.telegram.org/bots/api"


def _api(anchor: str) -> Documented:
    return Documented(f"{_API}#{anchor}", _READ)


_FAQ = Documented("https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this", _READ)
_OURS = Assumed("the made-up API is strict, so that mistakes show")
_REPORTS = Assumed("error reports of bot authors; no official page lists it")

BEHAVIOURS = (
    Behaviour("unauthorised", "Refuses a missing or wrong token.", _api("authorizing-your-bot"), 401),
    Behaviour("unknown_method", "Refuses a method that it does not have.", _OURS, 404),
    Behaviour("bad_request", "Refuses bodies that are no JSON object, unknown, missing or wrong parameters.", _OURS, 400),
    Behaviour("text_empty", "Refuses a text of nothing but white space.", _api("sendmessage"), 400),
    Behaviour("text_too_long", "Refuses a text over 4096 characters after its markup.", _api("sendmessage"), 400),
    Behaviour("caption_too_long", "Refuses a caption over 1024 characters.", _api("senddocument"), 400),
    Behaviour("bad_markup", "Refuses markup that does not close, and entities outside the text.", _REPORTS, 400),
    Behaviour("too_many_entities", "Refuses more than 100 entities.", Assumed("a constant of a client library"), 400),
    Behaviour("not_modified", "Refuses an edit that changes nothing.", _REPORTS, 400),
    Behaviour("not_yours", "Refuses to edit what the bot did not write.", _REPORTS, 400),
    Behaviour("cannot_delete", "Refuses to delete others' messages in groups unless the bot is admin, and any after 48 hours.", _api("deletemessage"), 400),
    Behaviour("unknown_chat", "Refuses a chat that does not exist.", _REPORTS, 400),
    Behaviour("unknown_message", "Refuses to edit or delete a message that is not there.", _REPORTS, 400),
    Behaviour("unknown_reply", "Refuses an answer to a message that is not there.", _api("replyparameters"), 400),
    Behaviour("unknown_thread", "Refuses a thread that does not exist.", _REPORTS, 400),
    Behaviour("blocked", "Refuses to write to a person who has blocked the bot.", _REPORTS, 403),
    Behaviour("not_started", "Refuses to write to a person who never wrote to the bot.", _REPORTS, 403),
    Behaviour("not_member", "Refuses to write in a group that the bot is not in.", _REPORTS, 403),
    Behaviour("too_many_buttons", "Refuses more than 100 buttons.", _REPORTS, 400),
    Behaviour("bad_button", "Refuses a button without text, or with 0 or over 64 bytes of data.", _api("inlinekeyboardbutton"), 400),
    Behaviour("unknown_press", "Refuses to answer a press that is unknown, answered or too old.", _REPORTS, 400),
    Behaviour("answer_too_long", "Refuses an answer to a press over 200 characters.", _api("answercallbackquery"), 400),
    Behaviour("bad_command", "Refuses names but of 1-32 of a-z, 0-9, _, and descriptions but of 1-256.", _api("botcommand"), 400),
    Behaviour("too_many_commands", "Refuses more than 100 commands.", _api("setmycommands"), 400),
    Behaviour("file_too_large", "Refuses a file over 5 MiB; the limit's size is ours.", _api("senddocument"), 413),
    Behaviour("unknown_file", "Refuses to hand out a file that does not exist.", _OURS, 404),
    Behaviour("too_many_requests", "Refuses too many messages and edits and says how long to wait.", _FAQ, 429),
    Behaviour("webhook_active", "Refuses polls while a webhook is set.", _api("getupdates"), 409),
    Behaviour("poll_superseded", "Ends a poll when another begins or a webhook is set.", _REPORTS, 409),
    Behaviour("bad_poll", "Refuses a limit outside 1-100 and a timeout outside 0-50 s.", _OURS, 400),
    Behaviour("bad_webhook", "Refuses a webhook that is not https (or loopback), or whose secret is not 16-256 characters.", _OURS, 400),
    Behaviour("confirms_by_offset", "Forgets updates before a poll's offset, gives others again.", _api("getupdates")),
    Behaviour("keeps_for_a_day", "Loses updates that wait for more than 24 hours.", _api("getting-updates")),
    Behaviour("redelivers", "Posts an update again until the answer is 2xx, then gives up.", _api("setwebhook")),
    Behaviour("ids_count_up", "Updates have ids that count up; a redelivery has the same.", _api("update")),
    Behaviour("kinds_persist", "Keeps the wanted kinds of updates until they are given anew.", _api("setwebhook")),
    Behaviour("utf16_offsets", "Counts entities in UTF-16 units.", _api("messageentity")),
    Behaviour("typing_ends", "Shows a typing sign for 5 s or until the bot writes.", _api("sendchataction")),
    Behaviour("numbers_per_chat", "Numbers messages per chat.", _api("message")),
    Behaviour("blind_to_itself", "Sends a bot no updates of what it wrote itself.", Assumed("usual; can be changed")),
    Behaviour("blind_to_bots", "Sends a bot no updates of what other bots wrote.", Assumed("usual; can be changed")),
    Behaviour("signs", "Signs updates: HMAC-SHA256 over a timestamp and the body.", Assumed("as several platforms do; this form is ours")),
)  # fmt: skip
