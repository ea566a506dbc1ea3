"""Who may come in and go on: what is concluded at the bridge, who leads, who holds a session, who knows a secret."""

from __future__ import annotations

from tests.chaos.mutating import Mutant

CLIENT = "bridge/http_client.py"
MUTEX = "actors/mutex.py"
LEADER = "actors/leader.py"
CONCLUSIONS = "tests/contract/test_client_conclusions.py"
IN_DOUBT = f"{CONCLUSIONS}::test_it_may_have_gone_out"
CONNECTIONS = "tests/contract/test_client_connections.py"
TROUBLE = "tests/integration/test_trouble.py"
OF_MUTEX = "tests/integration/test_mutex.py"

MUTANTS = (
    Mutant(
        "nothing-was-written",
        "A connection that breaks after the request was written says nothing about the message.",
        "bridge/unwritten.py",
        "    if not isinstance(cause, MaxRetryError):\n        return False\n",
        "    if not isinstance(cause, MaxRetryError):\n        return isinstance(error, requests.ConnectionError)\n",
        f"{IN_DOUBT}[no answer to what was written]",
    ),
    Mutant(
        "outcome-not-sent",
        "Only an answer that says so means that nothing went out.",
        CLIENT,
        'if body.get("outcome") == "not_sent":',
        'if body.get("outcome") != "unknown":',
        f"{IN_DOUBT}[an error without an outcome]",
    ),
    Mutant(
        "outcome-sent",
        "Only an answer that says so means that it went out.",
        CLIENT,
        ' and body.get("status") == "sent":',
        ":",
        f"{IN_DOUBT}[a good answer that does not say sent]",
    ),
    Mutant(
        "outcome-of-this-key",
        "An answer to another message says nothing about this one.",
        CLIENT,
        'if body.get("key") != key:',
        "if not key:",
        f"{CONNECTIONS}::test_an_answer_that_names_another_message_is_in_doubt_and_the_last_of_its_connection",
    ),
    Mutant(
        "outcome-key-closed",
        "Of all conflicts only a closed key proves that nothing goes out: one that is in flight may.",
        CLIENT,
        ' and code == "key_closed":',
        ":",
        f"{IN_DOUBT}[the key is being sent by somebody]",
    ),
    Mutant(
        "outcome-key-closed-status",
        "A closed key is a conflict, and an error that only calls itself so is none.",
        CLIENT,
        'if answer.status_code == requests.codes.conflict and code == "key_closed":',
        'if code == "key_closed":',
        f"{IN_DOUBT}[a closed key that is no conflict]",
    ),
    Mutant(
        "send-follows-no-redirect",
        "Our secret and a person's message are for the bridge's address.",
        CLIENT,
        "                allow_redirects=False,  # our secret and the message are for this address\n",
        "",
        f"{TROUBLE}::test_a_redirect_is_not_followed_with_our_secret_and_message",
    ),
    Mutant(
        "ledger-age",
        "How old the ledger is is told by the bridge, by its own clock.",
        CLIENT,
        'ledger_age_s=(_time(body["updated_at"]) - _time(body["ledger_since"])).total_seconds(),',
        'ledger_age_s=(datetime.now(UTC) - _time(body["ledger_since"])).total_seconds(),',
        f"{CONCLUSIONS}::test_the_age_of_the_ledger_is_by_the_bridges_own_clock",
    ),
    Mutant(
        "secret-says-nothing",
        "A bridge that refuses our secret was not asked: its messages wait for it.",
        CLIENT,
        "        if answer.status_code == requests.codes.unauthorized:\n            raise BridgeAwayError",
        "        if answer.status_code == 0:\n            raise BridgeAwayError",
        f"{CONCLUSIONS}::test_a_bridge_that_refuses_our_secret_has_not_said_anything_about_a_key",
        error="BridgeRefusedError",
    ),
    Mutant(
        "mutex",
        "No two workers are at work on one session, so that they do not wait in the database.",
        MUTEX,
        "owner, nx=True,",
        "owner,",
        f"{OF_MUTEX}::test_it_is_held_by_one_at_a_time",
    ),
    Mutant(
        "mutex-expires",
        "A worker that dies does not hold its session for ever.",
        MUTEX,
        ", px=self._lifetime_ms)",
        ")",
        f"{OF_MUTEX}::test_it_expires_and_a_late_release_frees_nobody_elses",
    ),
    Mutant(
        "mutex-owner",
        "A late release frees nobody else's.",
        MUTEX,
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return",
        "if ARGV[1] then return",
        f"{OF_MUTEX}::test_it_expires_and_a_late_release_frees_nobody_elses",
    ),
    Mutant(
        "mutex-not-held",
        "Who did not get it has nothing to release.",
        MUTEX,
        "            if held:\n                self._let_go(key, owner)",
        "            self._client.delete(key)",
        f"{OF_MUTEX}::test_it_is_held_by_one_at_a_time",
    ),
    Mutant(
        "send-asks-the-mutex",
        "A send that finds its session held does not even ask the database. The slot's index stands behind it.",
        "actors/sending.py",
        "        if not held:\n            return\n",
        "",
        f"{OF_MUTEX}::test_a_send_begins_nothing_while_another_holds_its_session",
    ),
    Mutant(
        "leader-lock",
        "One dispatcher leads.",
        LEADER,
        'cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))',
        'cursor.execute("SELECT %s > 0", (LOCK,))',
        f"{TROUBLE}::test_a_leader_that_freezes_is_replaced",
    ),
    Mutant(
        "leader-idle",
        "A dispatcher that froze does not lead for ever.",
        LEADER,
        "SET idle_session_timeout = '{IDLE_S}s'",
        "SET idle_session_timeout = '{IDLE_S}h'",
        f"{TROUBLE}::test_a_leader_that_freezes_is_replaced",
    ),
    Mutant(
        "events-signature",
        "Nobody but the bridge tells us what came of a message.",
        "api/signed_body.py",
        'if not hmac.compare_digest(given, "sha256=" + hmac.new(self._key, body, hashlib.sha256).hexdigest()):',
        "if not given:",
        "tests/api/test_api_events.py::test_the_signature_is_of_the_raw_bytes",
    ),
    Mutant(
        "api-token",
        "Nobody sends through us without the token.",
        "api/door.py",
        "return hmac.compare_digest(given, self._expected)",
        'return given.startswith(b"Bearer ")',
        "tests/api/test_api_door.py::test_without_the_token_nobody_comes_in",
    ),
    Mutant(
        "console-password",
        "Nobody sees or presses anything without the password.",
        "console/gate.py",
        "right = hmac.compare_digest(given.encode(), world().password.encode())",
        "right = len(given) > 0",
        "tests/console/test_console_gate.py::test_a_wrong_password_is_refused_slowly",
    ),
    Mutant(
        "console-token-time",
        "A cookie that was taken is good for a time only.",
        "console/gate.py",
        "max_age=session_s, return_timestamp=True",
        "return_timestamp=True",
        "tests/console/test_console_gate.py::test_a_token_is_good_until_its_time_and_for_its_password_only",
    ),
)
