"""``ClinicalData``: the values at their places."""

from __future__ import annotations

from typing import Any

from mrecist.exporting.odm.document import OPENCLINICA, Heading, Tree
from mrecist.exporting.odm.oid_map import OidMap
from mrecist.exporting.odm.placing import Place, Placed, Placements

TRANSACTIONS = ("Insert", "Update", "Upsert")


def clinical_data(found: Placements, by: OidMap, heading: Heading, transaction: str) -> bytes:
    """The file with the values.

    ``transaction`` stands on each group of items. The subject, visit and form around it are there already or not, so they are
    ``Upsert`` around an ``Insert``. OpenClinica takes it on the groups of a snapshot only, Rave takes a subject as ``Update``.
    """
    snapshot = by.settings["style"] == "openclinica"
    tree = Tree(heading, "Snapshot" if snapshot else "Transactional", "AllClinicalData")
    oids = {"StudyOID": by.settings["study_oid"], "MetaDataVersionOID": by.settings["metadata_version_oid"]}
    data = tree.add(tree.root, "ClinicalData", oids)
    around = "" if snapshot else "Upsert" if transaction == "Insert" else transaction
    writer = _Writer(tree, by, transaction, around)
    for keys in found.subjects.values():
        writer.subject(data, keys)
    for where, placed in found.values.items():
        writer.item(where, placed)
    return tree.to_bytes()


class _Writer:
    """Elements by the place that they stand for, each made once."""

    def __init__(self, tree: Tree, by: OidMap, transaction: str, around: str) -> None:
        self._tree = tree
        self._map = by
        self._transaction = transaction
        self._around = around
        self._made: dict[tuple[str, ...], Any] = {}

    def subject(self, data: Any, keys: dict[str, str]) -> None:
        around = "Update" if self._map.settings["style"] == "rave" else self._around
        attributes = {"SubjectKey": keys["subject_key"], "TransactionType": around}
        attributes[f"{{{OPENCLINICA}}}StudySubjectID"] = keys["study_subject_id"]
        subject = self._tree.add(data, "SubjectData", attributes)
        if keys["site_oid"]:
            self._tree.add(subject, "SiteRef", {"LocationOID": keys["site_oid"]})
        self._made[keys["subject_key"],] = subject

    def item(self, where: Place, placed: Placed) -> None:
        group = self._group(where)
        if self._tree.version == "2.0":
            self._tree.add(self._tree.add(group, "ItemData", {"ItemOID": where.item}), "Value", text=placed.text)
            return
        item = self._tree.add(group, "ItemData", {"ItemOID": where.item, "Value": placed.text})
        if placed.line.unit:
            self._tree.add(item, "MeasurementUnitRef", {"MeasurementUnitOID": placed.line.unit})

    def _group(self, where: Place) -> Any:
        parent = self._made[where.subject,]
        event = {"StudyEventOID": where.event, "StudyEventRepeatKey": where.event_repeat}
        parent = self._child(where[:3], parent, "StudyEventData", {**event, "TransactionType": self._around})
        if self._tree.version == "2.0":
            form = {"ItemGroupOID": where.form, "ItemGroupRepeatKey": where.form_repeat}
            parent = self._child(where[:5], parent, "ItemGroupData", {**form, "TransactionType": self._around})
        else:
            form = {"FormOID": where.form, "FormRepeatKey": where.form_repeat, "TransactionType": self._around}
            form[f"{{{OPENCLINICA}}}FormLayoutOID"] = self._map.settings["form_layout"]
            form[f"{{{OPENCLINICA}}}Status"] = self._map.settings["form_status"]
            parent = self._child(where[:5], parent, "FormData", form)
        group = {"ItemGroupOID": where.group, "ItemGroupRepeatKey": where.group_repeat}
        return self._child(where[:7], parent, "ItemGroupData", {**group, "TransactionType": self._transaction})

    def _child(self, key: tuple[str, ...], parent: Any, name: str, attributes: dict[str, str]) -> Any:
        if key not in self._made:
            self._made[key] = self._tree.add(parent, name, attributes)
        return self._made[key]
