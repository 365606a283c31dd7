"""What Prometheus reads of a server."""

from typing import get_args

from prometheus_client.parser import text_string_to_metric_families

from api.job import JobState


def samples(client) -> dict[tuple[str, ...], float]:
    """Return what a server tells, by name and labels."""
    reply = client.get("/metrics")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(reply.text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def test_requests_and_holdings_are_counted(served, profile_file):
    """Each request by its route and status, never by a path that a stranger chose; profiles and bytes as they are."""
    with served.http() as client, served.client() as pushing:
        before = samples(client)
        client.get("/api/v1/profiles/1")
        client.get("/api/v1/profiles/999999")
        client.get("/no/such/place")
        path = profile_file()
        pushing.push(path)
        after = samples(client)
        grown = {key: value - before.get(key, 0.0) for key, value in after.items()}
        by_status = {
            status: sum(
                value
                for key, value in grown.items()
                if key[0] == "tonecast_requests_total" and key[2].startswith("/api/v1/profiles/{") and key[3] == status
            )
            for status in ("200", "404")
        }
        assert by_status == {"200": 1, "404": 1}
        assert grown["tonecast_profiles",] == 1
        assert {key[1] for key in after if key[0] == "tonecast_jobs"} == set(get_args(JobState))
        assert grown["tonecast_kept_bytes",] == path.stat().st_size
        assert grown["tonecast_received_bytes_total",] >= path.stat().st_size
        assert not [key for key in after if "/no/such/place" in key]
        assert [key for key in after if key[0] == "tonecast_requests_total" and key[2] == "other"]


def test_strangers_learn_nothing(served):
    """Counting is for who has a token."""
    with served.http(None) as client:
        assert client.get("/metrics").status_code == 401
