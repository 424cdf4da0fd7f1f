"""The single wave: every pair the budget allows, planned at once."""

import numpy as np

from cj_pipeline.pairing.arrays import BoolArray, IntArray
from cj_pipeline.pairing.hamiltonian import hamiltonian_pairs


def student_anchor_share(n_students: int, n_anchors: int) -> float:
    """The share of pairs in which a student meets an anchor: min(.5, .8 sqrt(A/S)).

    A square-root rule of controls against treatments, fitted to the grade error of simulated batches
    from 25 to 20,000 students.
    """
    if not n_students or not n_anchors:
        return 0.0
    return float(min(0.5, 0.8 * np.sqrt(n_anchors / n_students)))


def plan_single_wave(n_students: int, n_anchors: int, budget: int, seed: int) -> tuple[IntArray, IntArray]:
    """Plan min(budget, nC2) pairs over anchors 0..A-1 and students A..A+S-1.

    Returns two int arrays (first, second); the first is shown first. No unordered pair occurs twice. With
    a budget of n-1 or more the plan is connected. Degrees within a class (students, anchors) differ by at
    most one, the two seats of an essay by at most two. Two anchors meet only when every other pair is
    used, or when there are no students. The same arguments give the same plan. Every prefix of n-1 pairs
    or more is connected as well, with student degrees within two and anchor degrees within one.

    Raises ValueError on fewer than two essays, a budget below one, or a negative count or seed.
    """
    _refuse_impossible(n_students, n_anchors, budget, seed)
    rng = np.random.default_rng(seed)
    n_among_students, n_across, n_among_anchors = divide_budget(n_students, n_anchors, budget)

    student_first, student_second = hamiltonian_pairs(n_students, n_among_students, rng)
    seats = np.concatenate([student_first, student_second])
    degrees = np.bincount(seats, minlength=n_students)
    least_met_first = rng.permutation(n_students)
    least_met_first = least_met_first[np.argsort(degrees[least_met_first], kind="stable")]
    across_first, across_second = _pairs_across(n_anchors + least_met_first, rng.permutation(n_anchors), n_across)
    anchor_first, anchor_second = hamiltonian_pairs(n_anchors, n_among_anchors, rng)

    across = _interleaving(n_students, n_anchors, n_among_students, n_across)
    first, second = np.empty((2, n_among_students + n_across), dtype=np.int64)
    first[across], second[across] = across_first, across_second
    first[~across], second[~across] = student_first + n_anchors, student_second + n_anchors
    return np.concatenate([first, anchor_first]), np.concatenate([second, anchor_second])


def _refuse_impossible(n_students: int, n_anchors: int, budget: int, seed: int) -> None:
    if n_students < 0 or n_anchors < 0:
        raise ValueError(f"counts cannot be negative: {n_students} students, {n_anchors} anchors")
    if n_students + n_anchors < 2:
        raise ValueError(f"a comparison needs two essays; there are {n_students} students and {n_anchors} anchors")
    if budget < 1:
        raise ValueError(f"the budget must be at least one comparison, not {budget}")
    if seed < 0:
        raise ValueError(f"the seed must not be negative: {seed}")


def divide_budget(n_students: int, n_anchors: int, budget: int) -> tuple[int, int, int]:
    """How many pairs among students, across, and among anchors: (n,) each; anchors meet each other last."""
    all_students = n_students * (n_students - 1) // 2
    all_across = n_students * n_anchors
    n_mixed = min(budget, all_students + all_across)
    fewest, most = max(0, n_mixed - all_students), min(all_across, n_mixed)
    if n_students and n_mixed >= n_students + n_anchors - 1:  # a path through the students, an edge per anchor
        fewest, most = max(fewest, n_anchors), min(most, n_mixed - (n_students - 1))
    n_across = min(max(round(student_anchor_share(n_students, n_anchors) * n_mixed), fewest), most)
    n_among_anchors = min(budget - n_mixed, n_anchors * (n_anchors - 1) // 2)
    return n_mixed - n_across, n_across, n_among_anchors


def _pairs_across(students: IntArray, anchors: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """Both classes in turn, one step further after each full cycle: bi-regular, every pair once in S·A."""
    visit = np.arange(count)
    if not count:
        return visit, visit
    full_cycle = np.lcm(students.size, anchors.size)
    student_turn = visit % students.size
    anchor_turn = (visit + visit // full_cycle) % anchors.size
    student, anchor = students[student_turn], anchors[anchor_turn]
    student_is_first = _alternate_seats(student_turn, anchor_turn)
    return np.where(student_is_first, student, anchor), np.where(student_is_first, anchor, student)


def _alternate_seats(student: IntArray, anchor: IntArray) -> BoolArray:
    """Seats such that a student's visits 2k and 2k+1 differ, and an anchor's likewise.

    Each pair is tied to at most one other by its student and one by its anchor. Following the ties gives
    paths and even cycles, along which the seats alternate.
    """
    by_student, by_anchor = _partner_visit(student).tolist(), _partner_visit(anchor).tolist()
    seats = [-1] * student.size
    for start in range(student.size):
        if seats[start] >= 0:
            continue
        seats[start] = 1
        for near, far in ((by_student, by_anchor), (by_anchor, by_student)):
            here, seat, step, other = start, 1, near, far
            while (there := step[here]) >= 0 and seats[there] < 0:
                seat = 1 - seat
                seats[there] = seat
                here, step, other = there, other, step
    return np.array(seats, dtype=np.int64) == 1


def _partner_visit(owner: IntArray) -> IntArray:
    """For each visit, the visit of the same owner it is tied to (2k with 2k+1), or -1."""
    in_order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner)
    rank = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
    partner = np.full(owner.size, -1, dtype=np.int64)
    second = np.flatnonzero(rank % 2)
    partner[in_order[second]] = in_order[second - 1]
    partner[in_order[second - 1]] = in_order[second]
    return partner


def _interleaving(n_students: int, n_anchors: int, n_among: int, n_across: int) -> BoolArray:
    """Which places hold student-anchor pairs: evenly spread, the connecting pairs of both kinds first."""
    if n_across < n_anchors or n_among < n_students - 1 or not n_students:
        return _evenly(n_across, n_among + n_across)
    start = _evenly(n_anchors, n_students + n_anchors - 1)
    rest = _evenly(n_across - n_anchors, n_among + n_across - start.size)
    return np.concatenate([start, rest])


def _evenly(chosen: int, places: int) -> BoolArray:
    return np.diff(np.arange(places + 1) * chosen // max(places, 1)) == 1
