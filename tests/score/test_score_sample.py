"""``mrecist score`` and ``demo`` on the sample study: the truth, key images, resuming, many processes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from mrecist.cli import main
from mrecist.samples.build import sample_data_path, sample_study_path
from mrecist.samples.compare import differences_from_truth

OUTPUTS = {
    "measurements.csv",
    "measurements.json",
    "responses.csv",
    "best_responses.csv",
    "findings.csv",
    "problems.csv",
    "stability.csv",
    "stability_lesions.csv",
    "cases.csv",
    "summary.txt",
    "summary.html",
    "report.html",
}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scored")
    assert main(["score", str(sample_study_path()), "--out", str(out)]) == 0
    return out


def test_categories_equal_the_truth(scored: Path) -> None:
    """Truth: the analytic sizes of the phantoms and hand arithmetic (docs/sample-data.md)."""
    truth = table(sample_data_path() / "truth" / "responses.csv")
    found = {(r["subject"], r["criterion"], r["timepoint"]): r for r in table(scored / "responses.csv")}
    for row in truth:
        got = found[row["subject"], row["criterion"], row["timepoint"]]
        assert {name: got[name] for name in row} == row
    assert len([k for k in found if k[2] != "0"]) == len(truth)
    best = {(r["subject"], r["criterion"]): r for r in table(scored / "best_responses.csv")}
    for row in table(sample_data_path() / "truth" / "best_responses.csv"):
        assert {name: best[row["subject"], row["criterion"]][name] for name in row} == row


def test_what_the_checks_find_stands_in_a_table_and_in_the_report(scored: Path) -> None:
    """SAMPLE-06 was read on the portal venous phase at its first follow-up (docs/sample-data.md)."""
    warned = [row for row in table(scored / "findings.csv") if row["severity"] == "warning"]
    assert {(row["subject"], row["timepoint"], row["check"]) for row in warned} == {
        ("SAMPLE-06", "1", "changed_phase"),
        ("SAMPLE-06", "1", "viable_not_arterial"),
    }
    page = (scored / "report.html").read_text(encoding="utf-8")
    assert page.count("Checks of this read") == 2
    assert warned[0]["what"] in page


def test_diameters_lie_within_half_a_pixel_of_the_analytic_value(scored: Path) -> None:
    found = {(r["subject"], r["timepoint"], r["lesion"]): r for r in table(scored / "measurements.csv")}
    compared = 0
    for true in table(sample_data_path() / "truth" / "sizes.csv"):
        row = found[true["subject"], true["timepoint"], true["lesion"]]
        for name in ("longest_mm", "short_mm", "viable_mm"):
            if true[name]:
                assert abs(float(row[name]) - float(true[name])) < float(true["pixel_mm"]) / 2, (row, name)
                compared += 1
            else:
                assert row[name] == ""
    assert compared == 81  # 28 drawn lesions, 3 of them nodes without a viable part


def test_the_comparison_of_the_demo_can_fail(scored: Path, tmp_path: Path) -> None:
    for name in OUTPUTS:
        (tmp_path / name).write_bytes((scored / name).read_bytes())
    assert differences_from_truth(tmp_path) == []
    text = (tmp_path / "responses.csv").read_text(encoding="utf-8")
    (tmp_path / "responses.csv").write_text(text.replace(",PD,", ",SD,"), encoding="utf-8")
    assert len(differences_from_truth(tmp_path)) >= 4


def test_volumes_against_the_ellipsoid(scored: Path) -> None:
    """A solid ellipsoid of 36 x 30 x 36 mm: 4/3 pi abc = 20.4 ml."""
    rows = {(r["subject"], r["timepoint"], r["lesion"]): r for r in table(scored / "measurements.csv")}
    row = rows["SAMPLE-01", "0", "T02"]
    assert float(row["volume_mm3"]) == pytest.approx(20358, rel=0.03)
    assert row["viable_volume_mm3"] == row["volume_mm3"]
    assert float(row["mean_hu"]) == pytest.approx(148, abs=6)


def test_ends_of_the_diameters_are_given_in_patient_coordinates(scored: Path) -> None:
    drawings = json.loads((scored / "measurements.json").read_text(encoding="utf-8"))
    one = next(d for d in drawings if (d["subject"], d["timepoint"], d["lesion"]) == ("SAMPLE-01", 0, "T01"))
    (ax, ay, az), (bx, by, bz) = one["longest"]["ends_lps"]
    assert ((ax - bx) ** 2 + (ay - by) ** 2 + (az - bz) ** 2) ** 0.5 == pytest.approx(one["longest"]["mm"], abs=1e-9)
    # The lesion's centre is at (-88, -6, 0) mm by construction.
    assert ((ax + bx) / 2, (ay + by) / 2, az) == pytest.approx((-88, -6, 0), abs=1.5)
    assert one["longest"]["sop_instance_uid"].startswith("2.25.")


def test_the_report_shows_every_subject(scored: Path) -> None:
    html = (scored / "report.html").read_text(encoding="utf-8")
    assert "mrecist sample study" in html
    for number in range(1, 7):
        assert f"SAMPLE-0{number}" in html
    assert html.count("data:image/png;base64,") == 28  # one for each drawn lesion


def test_a_second_run_takes_finished_subjects_and_writes_the_same_bytes(
    scored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: (scored / name).read_bytes() for name in OUTPUTS}
    assert main(["score", str(sample_study_path()), "--out", str(scored)]) == 0
    assert "6 subjects unchanged" in capsys.readouterr().err
    assert {name: (scored / name).read_bytes() for name in OUTPUTS} == before


def test_any_number_of_processes_gives_the_same_bytes(scored: Path, tmp_path: Path) -> None:
    assert main(["score", str(sample_study_path()), "--out", str(tmp_path), "--workers", "2"]) == 0
    assert {n: (tmp_path / n).read_bytes() for n in OUTPUTS} == {n: (scored / n).read_bytes() for n in OUTPUTS}


def test_measurements_assess_to_the_same_responses(scored: Path, tmp_path: Path) -> None:
    protocol = str(sample_study_path() / "protocol.toml")
    arguments = [
        "assess",
        str(scored / "measurements.csv"),
        "--protocol",
        protocol,
        "--stability",
        "--out",
        str(tmp_path),
    ]
    assert main(arguments) == 0
    assert (tmp_path / "responses.csv").read_bytes() == (scored / "responses.csv").read_bytes()
    assert (tmp_path / "best_responses.csv").read_bytes() == (scored / "best_responses.csv").read_bytes()


def test_demo_says_that_the_truth_is_met(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path)]) == 0
    assert "Every category equals the known truth" in capsys.readouterr().out
    assert {p.name for p in tmp_path.iterdir() if p.is_file()} == OUTPUTS


def test_the_sample_as_sdtm_comes_back_with_its_categories(scored: Path, tmp_path: Path) -> None:
    """Also a viable size that does not count, because of the phase it was read on (SAMPLE-06): SUPPTR carries the phase."""
    sdtm, out = tmp_path / "sdtm", tmp_path / "out"
    images = ["--images", str(sample_study_path())]
    assert main(["export", "sdtm", str(scored), "--out", str(sdtm), "--format", "csv", *images]) == 0
    protocol = ["--protocol", str(sample_study_path() / "protocol.toml")]
    assert main(["assess", str(sdtm), "--compare", str(sdtm), "--out", str(out), *protocol]) == 0
    # A visit that was missed has no number in SDTM: time points are counted by their dates there (docs/sdtm.md).
    words = ("subject", "criterion", "date", "sum", "target", "non_target", "new_lesion", "overall")
    before = {tuple(row[name] for name in words) for row in table(scored / "responses.csv")}
    assert {tuple(row[name] for name in words) for row in table(out / "responses.csv")} == before
    assert {row["agrees"] for row in table(out / "comparison.csv")} == {"yes"}
    named = {row["QNAM"] for row in table(sdtm / "supptr.csv")} | {row["QNAM"] for row in table(sdtm / "supptu.csv")}
    assert {"TRSERUID", "TRSEGUID", "TRPHASE", "TUTRKUID"} <= named
    drawn = {d["tracking_uid"] for d in json.loads((scored / "measurements.json").read_text(encoding="utf-8"))}
    tracked = {row["QVAL"] for row in table(sdtm / "supptu.csv") if row["QNAM"] == "TUTRKUID"}
    assert tracked == drawn
