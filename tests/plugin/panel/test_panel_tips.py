"""Every control of the panel says what it does when the mouse rests on it."""

from __future__ import annotations

from typing import Any

from panel_reading import put_visit

from mrecist.model import Role
from mrecist.session.room import Room


def test_every_control_has_a_tip(room: Room, panel: Any, hand: Any) -> None:
    from qtpy.QtWidgets import QComboBox, QLineEdit, QPushButton, QToolButton

    put_visit(room, 0)
    room.add_lesion(Role.NEW)
    room.look_at_lesion("T01")
    hand.settle()
    inside = ("qt_scrollarea", "qt_spinbox")
    controls = [
        one
        for kind in (QPushButton, QToolButton, QComboBox, QLineEdit)
        for one in panel.findChildren(kind)
        if not one.objectName().startswith(inside) and not isinstance(one.parent(), QComboBox)
    ]
    assert len(controls) > 40
    assert sorted({one.objectName() or type(one).__name__ for one in controls if not one.toolTip().strip()}) == []
