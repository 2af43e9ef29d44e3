#!/usr/bin/env python3
"""Writes windows.jsonl: schedules, instants, and what `tillsyn-hub windows --batch` must answer.

A second implementation of the windows of DESIGN.md, section 3, kept naive on purpose: every window of every date near the
instant is placed with Python's zoneinfo, and openings are joined by sorting. It shares nothing with common/civil but the
tzdata on the machine. Run it again only when the semantics change; the output is committed and does not depend on chance.

Each line is {"schedule":S,"cases":[[at, open, next], ...]}, or {"schedule":S,"malformed":why}.
"""
import datetime as dt
import json
import pathlib
import random
from zoneinfo import ZoneInfo

UTC = dt.timezone.utc
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
HORIZON = dt.timedelta(days=400)
STOCKHOLM = "Europe/Stockholm"


def place(zone, date, start, minutes):
    """A window's start and end in UTC. fold=0 is the first of two, and in a gap the offset from before the change."""
    hour, minute = map(int, start.split(":"))
    local = dt.datetime(date.year, date.month, date.day, hour, minute, tzinfo=zone, fold=0)
    begin = local.astimezone(UTC)
    return begin, begin + dt.timedelta(minutes=minutes)


def windows_of(schedule, date):
    text = date.isoformat()
    if schedule["valid_from"] is not None and text < schedule["valid_from"]:
        return []
    if schedule["valid_to"] is not None and text > schedule["valid_to"]:
        return []
    for exception in schedule["exceptions"]:
        if exception["date"] == text:
            return exception["windows"]
    return [w for w in schedule["windows"] if DAYS[date.weekday()] in w["days"]]


def openings(schedule, at):
    """The joined openings of every date that could matter for `at`, ascending."""
    zone = ZoneInfo(schedule["timezone"])
    middle = at.astimezone(zone).date()
    placed = []
    for offset in range(-3, 404):
        date = middle + dt.timedelta(days=offset)
        placed += [place(zone, date, w["start"], w["minutes"]) for w in windows_of(schedule, date)]
    joined = []
    for start, end in sorted(placed):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined


def judge(joined, at):
    is_open = any(start <= at < end for start, end in joined)
    changes = sorted(edge for opening in joined for edge in opening if at < edge <= at + HORIZON)
    return is_open, changes[0] if changes else None


def stamp(instant):
    return None if instant is None else instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def schedule(windows, exceptions=(), valid_from=None, valid_to=None, timezone=STOCKHOLM, version=1):
    return {"type": "schedule", "version": version, "timezone": timezone, "valid_from": valid_from,
            "valid_to": valid_to, "windows": list(windows), "exceptions": list(exceptions)}


def window(name, days, start, minutes):
    return {"id": name, "days": DAYS if days == "all" else days.split(), "start": start, "minutes": minutes}


def extra(name, start, minutes):
    return {"id": name, "start": start, "minutes": minutes}


def day(date, *windows):
    return {"date": date.isoformat(), "windows": list(windows)}


def group(what, instants):
    seen, cases = set(), []
    for at in instants:
        if at in seen:
            continue
        seen.add(at)
        is_open, following = judge(openings(what, at), at)
        cases.append([stamp(at), is_open, stamp(following)])
    return {"schedule": what, "cases": cases}


def edges_around(what, centre, span=dt.timedelta(days=2)):
    """Just before, at and just after each edge of an opening or a single window near `centre`."""
    zone = ZoneInfo(what["timezone"])
    edges = set()
    for offset in range(-3, 4):
        date = centre.astimezone(zone).date() + dt.timedelta(days=offset)
        for w in windows_of(what, date):
            edges.update(place(zone, date, w["start"], w["minutes"]))
    second = dt.timedelta(seconds=1)
    return [e + d for e in sorted(edges) if abs(e - centre) <= span for d in (-second, second * 0, second)]


def clock_changes(zone_name, first_year, last_year):
    """Every hour at which the offset differs from the hour before."""
    zone = ZoneInfo(zone_name)
    at = dt.datetime(first_year, 1, 1, tzinfo=UTC)
    end = dt.datetime(last_year + 1, 1, 1, tzinfo=UTC)
    hour = dt.timedelta(hours=1)
    found = []
    while at < end:
        if at.astimezone(zone).utcoffset() != (at - hour).astimezone(zone).utcoffset():
            found.append(at)
        at += hour
    return found


def around_change(change, timezone=STOCKHOLM):
    """Schedules that meet one clock change in every way, with instants about each of their edges."""
    date = change.astimezone(ZoneInfo(timezone)).date()
    before = date - dt.timedelta(days=1)
    weekly = [
        [window("gap", "all", "02:15", 15)],
        [window("first", "all", "02:00", 60), window("edge", "all", "03:00", 30)],
        [window("last", "all", "02:59", 1), window("eve", "all", "01:45", 15)],
        [window("over", "all", "22:30", 480)],
        [window("late", "all", "23:45", 135), window("deep", "all", "01:30", 90), window("morning", "all", "03:15", 45)],
        [window("half", "sat", "14:00", 720), window("rest", "sun", "02:00", 720)],
        [window("touch1", "sun", "01:00", 60), window("touch2", "sun", "02:00", 60), window("touch3", "sun", "03:00", 60)],
        [window("same", "sat", "21:00", 15), window("same", "sun", "02:30", 15)],
    ]
    out = [schedule(w, timezone=timezone) for w in weekly]
    out.append(schedule([window("w", "all", "02:15", 15)], [day(date, extra("x", "02:45", 20), extra("y", "02:10", 50))],
                        timezone=timezone))
    out.append(schedule([window("w", "all", "02:15", 15)], [day(date)], timezone=timezone))
    out.append(schedule([window("w", "all", "23:30", 240)], [], valid_from=before.isoformat(), valid_to=before.isoformat(),
                        timezone=timezone))
    out.append(schedule([], [day(before, extra("x", "23:59", 121)), day(date, extra("x", "00:00", 720))], timezone=timezone))
    hour = dt.timedelta(hours=1)
    fixed = [change - hour, change - dt.timedelta(seconds=1), change, change + dt.timedelta(minutes=15), change + hour]
    for what in out:
        yield group(what, fixed + edges_around(what, change, dt.timedelta(hours=14)))


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def ordinary_days():
    night = [window("w1", "mon tue wed thu fri", "22:30", 15), window("w2", "all", "03:00", 20)]
    christmas = [day(dt.date(2026, 12, 24)), day(dt.date(2026, 12, 25), extra("x1", "03:00", 20)),
                 day(dt.date(2026, 12, 31), extra("x1", "23:50", 30), extra("x2", "00:05", 10))]
    what = schedule(night, christmas, valid_from="2026-11-01")
    yield group(what, [m for d in ("2026-11-01", "2026-12-24", "2026-12-25", "2026-12-31", "2027-02-28")
                       for m in edges_around(what, at(d + "T12:00:00"), dt.timedelta(days=1))])
    yield group(what, [at("2025-01-01T00:00:00"), at("2025-09-26T00:00:00"), at("2025-09-27T03:00:00")])

    over = schedule([window("over", "sat", "23:00", 180)], [day(dt.date(2026, 6, 6))], "2026-05-30", "2026-06-13")
    yield group(over, [m for d in ("2026-05-30", "2026-05-31", "2026-06-06", "2026-06-07", "2026-06-13", "2026-06-14")
                       for m in edges_around(over, at(d + "T12:00:00"), dt.timedelta(days=1)) + [at(d + "T22:30:00")]])

    joined = schedule([window("a", "wed", "20:00", 30), window("b", "wed", "20:30", 30), window("c", "wed", "20:45", 60),
                       window("d", "wed", "20:50", 5), window("e", "wed", "21:46", 1)])
    yield group(joined, edges_around(joined, at("2026-05-13T18:00:00")))

    always = schedule([window("am", "all", "00:00", 720), window("pm", "all", "12:00", 720)])
    yield group(always, [at("2026-01-15T05:00:00"), at("2026-03-29T00:00:00"), at("2026-10-24T22:00:00"),
                         at("2026-10-25T22:30:00"), at("2026-10-25T22:59:59"), at("2026-10-25T23:00:00")])
    forever = schedule([window("am", "all", "00:00", 720), window("pm", "all", "12:00", 720)], timezone="Etc/UTC")
    yield group(forever, [at("2026-01-15T05:00:00"), at("2026-06-15T12:00:00")])


def nothing_ahead():
    one = schedule([], [day(dt.date(2027, 3, 1), extra("x", "12:00", 10))])
    start = at("2027-03-01T11:00:00")
    yield group(one, [start - HORIZON + dt.timedelta(seconds=s) for s in (-1, 0, 1)] +
                [start + dt.timedelta(minutes=m) for m in (-1, 0, 9, 10, 11)])
    yield group(schedule([]), [at("2026-01-01T00:00:00"), at("2037-12-31T23:59:59")])
    ended = schedule([window("w", "all", "12:00", 10)], valid_to="2026-04-01")
    yield group(ended, [at("2026-04-01T10:09:59"), at("2026-04-01T10:10:00"), at("2026-04-02T10:00:00")])
    far = schedule([window("w", "all", "12:00", 10)], valid_from="2036-04-01")
    yield group(far, [at("2026-04-01T10:00:00"), at("2035-03-31T10:00:00"), at("2036-04-01T10:00:00")])
    leap = schedule([], [day(dt.date(2028, 2, 29), extra("x", "00:00", 1))])
    yield group(leap, edges_around(leap, at("2028-02-28T23:00:00")))


def elsewhere():
    """The rules are of every zone, also those that change at midnight, by half an hour, or skipped a whole date."""
    for name, year in (("America/New_York", 2026), ("Australia/Lord_Howe", 2026), ("America/Santiago", 2026),
                       ("Asia/Beirut", 2026), ("Europe/London", 2026), ("Europe/Dublin", 2026), ("Africa/Casablanca", 2026)):
        for change in clock_changes(name, year, year):
            yield from around_change(change, name)
    skipped = schedule([window("w", "all", "22:30", 120), window("v", "all", "12:00", 30)], timezone="Pacific/Apia")
    yield group(skipped, edges_around(skipped, at("2011-12-30T10:00:00")))


def by_chance():
    chance = random.Random(20261122)
    changes = clock_changes(STOCKHOLM, 2024, 2037)
    for _ in range(160):
        middle = chance.choice(changes) + dt.timedelta(hours=chance.randrange(-60, 60))
        if chance.random() < 0.4:
            middle = dt.datetime(2024, 1, 1, tzinfo=UTC) + dt.timedelta(hours=chance.randrange(24 * 365 * 13))
        windows = [window(f"w{i}", " ".join(sorted(chance.sample(DAYS, chance.randint(1, 7)), key=DAYS.index)),
                          f"{chance.randrange(24):02}:{chance.randrange(60):02}", chance.choice([1, 15, 60, 240, 720]))
                   for i in range(chance.randint(0, 6))]
        dates = {(middle + dt.timedelta(days=chance.randrange(-3, 4))).date() for _ in range(chance.randint(0, 3))}
        exceptions = [day(d, *[extra(f"x{i}", f"{chance.randrange(24):02}:{chance.randrange(60):02}", chance.randint(1, 720))
                               for i in range(chance.randint(0, 3))]) for d in sorted(dates)]
        limit = (middle + dt.timedelta(days=chance.randrange(-2, 3))).date().isoformat()
        what = schedule(windows, exceptions, limit if chance.random() < 0.2 else None,
                        limit if chance.random() < 0.2 else None, version=chance.randint(1, 9999))
        instants = [middle + dt.timedelta(seconds=chance.randrange(-200000, 200000)) for _ in range(6)]
        edges = edges_around(what, middle)
        yield group(what, instants + chance.sample(edges, min(10, len(edges))))


def malformed():
    good = schedule([window("w1", "mon", "22:30", 15)], [day(dt.date(2026, 12, 24))])

    def changed(why, **members):
        return {"schedule": {**good, **members}, "malformed": why}

    def with_window(why, **members):
        return changed(why, windows=[{**window("w1", "mon", "22:30", 15), **members}])

    def with_extra(why, **members):
        return changed(why, exceptions=[{"date": "2026-12-24", "windows": [{**extra("x", "01:00", 5), **members}]}])

    for name in good:
        yield {"schedule": {k: v for k, v in good.items() if k != name}, "malformed": f"{name} missing"}
        yield changed(f"{name} null", **{name: None}) if not name.startswith("valid") else changed(name, **{name: 7})
    for name in ("id", "days", "start", "minutes"):
        without = {k: v for k, v in window("w1", "mon", "22:30", 15).items() if k != name}
        yield changed(f"window without {name}", windows=[without])
    yield changed("unknown member", until="2027-01-01")
    yield with_window("unknown member of a window", colour="red")
    yield with_extra("an exception's window has no days", days=["mon"])
    yield changed("other type", type="pause")
    for bad in (0, -1, "1", True, 2**53, [1]):
        yield changed(f"version {bad}", version=bad)
    for bad in ("", "Europe/Atlantis", "europe/stockholm", "localtime", "posix/Europe/Stockholm", "right/Europe/Stockholm",
                "../../etc/passwd", "/usr/share/zoneinfo/Europe/Stockholm", "Europe", "zone.tab", "CET-1CEST", "+01:00",
                "Europe/Stockholm ", "Europe/Stockholm\u0000", 1, "A" * 65):
        yield changed(f"time zone {bad!r}", timezone=bad)
    for bad in ("2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "20260101", "2026-01-01T00:00:00Z", "", " 2026-01-01",
                "26-01-01", "2026/01/01", "2026-01-32", "1969-12-31", "２026-01-01", 20260101, False):
        yield changed(f"valid_from {bad!r}", valid_from=bad)
        yield changed(f"valid_to {bad!r}", valid_to=bad)
        yield changed(f"exception date {bad!r}", exceptions=[{"date": bad, "windows": []}])
    yield changed("valid_to before valid_from", valid_from="2026-05-02", valid_to="2026-05-01")
    for bad in ("", "a b", "å", "x" * 33, "w/1", "w.1", 1, None):
        yield with_window(f"id {bad!r}", id=bad)
        yield with_extra(f"exception id {bad!r}", id=bad)
    for bad in ([], ["Mon"], ["monday"], ["mon", "mon"], "mon", [1], [None], ["mon", ""], {"mon": True}, DAYS + ["mon"]):
        yield with_window(f"days {bad!r}", days=bad)
    for bad in ("24:00", "22:60", "2:15", "22:5", "22.30", "22:30:00", "", "-1:00", "٢٢:30", " 2:30", 2230, None, "22-30"):
        yield with_window(f"start {bad!r}", start=bad)
        yield with_extra(f"exception start {bad!r}", start=bad)
    for bad in (0, -15, 721, 1.5, "15", True, None, 2**40):
        yield with_window(f"minutes {bad!r}", minutes=bad)
        yield with_extra(f"exception minutes {bad!r}", minutes=bad)
    twice = window("w1", "mon", "22:30", 15)
    yield changed("an id twice on a day", windows=[twice, window("w1", "sun mon", "04:00", 15)])
    yield changed("an exception twice", exceptions=[day(dt.date(2026, 12, 24)), day(dt.date(2026, 12, 24))])
    apart = [day(dt.date(2026, 12, 24)), day(dt.date(2026, 12, 23)), day(dt.date(2026, 12, 24), extra("x", "01:00", 1))]
    yield changed("an exception twice, apart", exceptions=apart)
    yield changed("an id twice on an exception", exceptions=[day(dt.date(2026, 12, 24), extra("x", "01:00", 1),
                                                                extra("x", "02:00", 1))])
    yield changed("too many windows", windows=[window(f"w{i}", "mon", "01:00", 1) for i in range(65)])
    yield changed("windows is an object", windows={})
    yield changed("exceptions is an object", exceptions={})
    yield changed("a window is a string", windows=["w1"])
    yield changed("an exception without windows", exceptions=[{"date": "2026-12-24"}])
    yield changed("an exception with null windows", exceptions=[{"date": "2026-12-24", "windows": None}])
    yield changed("unknown member of an exception", exceptions=[{"date": "2026-12-24", "windows": [], "why": "Christmas"}])
    for bad in (None, [], "x", 1):
        yield {"schedule": bad, "malformed": f"schedule is {bad!r}"}


def every_line():
    for change in clock_changes(STOCKHOLM, 2024, 2037):
        yield from around_change(change)
    yield from ordinary_days()
    yield from nothing_ahead()
    yield from elsewhere()
    yield from by_chance()
    yield from malformed()


def main():
    out = pathlib.Path(__file__).with_name("windows.jsonl")
    lines = list(every_line())
    with out.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":"), ensure_ascii=True) + "\n")
    cases = sum(len(line.get("cases", [0])) for line in lines)
    print(f"{cases} cases in {len(lines)} lines, {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
