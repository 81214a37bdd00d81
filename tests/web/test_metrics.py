"""/metrics, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.web.conftest import Running


def test_requests_are_counted_by_path_and_status_and_timed(service: Running) -> None:
    counted = 'lenet5_requests_total{path="/health/live",status="200"}'
    timed = 'lenet5_request_seconds_count{path="/health/live"}'
    before = service.metric(counted), service.metric(timed)
    service.client.get("/health/live")
    assert (service.metric(counted), service.metric(timed)) == (before[0] + 1, before[1] + 1)


def test_paths_that_do_not_exist_share_one_label(service: Running) -> None:
    for k in range(3):
        service.client.get(f"/nothing/{k}")
    text = service.client.get("/metrics").text
    assert "/nothing" not in text
    assert service.metric('lenet5_requests_total{path="other",status="404"}') >= 3


def test_refusals_are_counted_by_reason(service: Running) -> None:
    counted = 'lenet5_refusals_total{reason="host"}'
    before = service.metric(counted)
    service.client.get("/", headers={"Host": "evil.example"})
    assert service.metric(counted) == before + 1


def test_results_and_bytes_are_counted(service: Running) -> None:
    body = b"P1 9 9 " + b"0" * 81
    before = service.metric("lenet5_results_total"), service.metric("lenet5_received_bytes_total")
    assert service.read(body).status_code == 200
    assert service.metric("lenet5_results_total") == before[0] + 1
    assert service.metric("lenet5_received_bytes_total") == before[1] + len(body)


def test_it_is_the_text_format_with_everything_that_is_documented(service: Running) -> None:
    answer = service.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family.type for family in text_string_to_metric_families(answer.text)}
    assert families["lenet5_requests"] == "counter"
    assert families["lenet5_request_seconds"] == "histogram"
    assert families["lenet5_queue_length"] == families["lenet5_workers"] == families["lenet5_workers_busy"] == "gauge"
    assert {"lenet5_refusals", "lenet5_worker_restarts", "lenet5_results", "lenet5_received_bytes"} <= set(families)
    assert service.metric("lenet5_workers ") == 2
