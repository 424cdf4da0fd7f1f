"""Which essays meet, and who is shown first.

Pure functions over integer essay numbers; nothing here knows a batch, a file or a judge.
"""

from cj_pipeline.pairing.audit import draw_mirrored_audit
from cj_pipeline.pairing.design import Design, component_labels, describe_design
from cj_pipeline.pairing.single_wave import plan_single_wave, student_anchor_share
from cj_pipeline.pairing.top_up import plan_top_up

__all__ = [
    "Design",
    "component_labels",
    "describe_design",
    "draw_mirrored_audit",
    "plan_single_wave",
    "plan_top_up",
    "student_anchor_share",
]
