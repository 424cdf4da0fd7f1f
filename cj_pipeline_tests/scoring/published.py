"""Published comparisons that several tests fit.

American League 1987: Agresti, Categorical Data Analysis (2002), page 438.
"""

HOME_WINS_AND_LOSSES = (  # rows: home team; entries: wins-losses against the others in the order of the rows
    "4-3 4-2 4-3 6-1 4-2 6-0",
    "3-3 4-2 4-3 6-0 6-1 4-3",
    "2-5 4-3 2-4 4-3 4-2 6-0",
    "3-3 5-1 2-5 4-3 4-2 6-1",
    "5-1 2-5 3-3 4-2 5-2 6-0",
    "2-5 3-3 3-4 4-3 4-2 2-4",
    "2-5 1-5 1-6 2-4 1-6 3-4",
)


def baseball() -> tuple[list[int], list[int], list[float], list[int]]:
    """(home team, visitors, 1 if home won, times): one row per kind of result of two teams."""
    home, away, outcome, times = [], [], [], []
    for team, row in enumerate(HOME_WINS_AND_LOSSES):
        visitors = [other for other in range(7) if other != team]
        for visitor, record in zip(visitors, row.split(), strict=True):
            wins, losses = map(int, record.split("-"))
            home += [team, team]
            away += [visitor, visitor]
            outcome += [1.0, 0.0]
            times += [wins, losses]
    return home, away, outcome, times
