"""The shop whose telemetry the workloads are: its services, the requests it gets, and how it fails."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.resources import Resource

from otlp_fast.bench.workloads.workload import Seeded, fresh

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "python-requests/2.32.3",
    "kube-probe/1.30",
    "curl/8.7.1",
)
ROUTES = (
    ("GET", "/products/<int:product_id>", "/products/{number}"),
    ("GET", "/users/<user>/orders", "/users/{user}/orders"),
    ("POST", "/cart/<cart_id>/items", "/cart/{hex}/items"),
    ("GET", "/search", "/search"),
    ("PUT", "/orders/<int:order_id>/address", "/orders/{number}/address"),
    ("DELETE", "/sessions/<session_id>", "/sessions/{hex}"),
    ("GET", "/static/<path:filename>", "/static/js/bundle.{hex}.js"),
)
USERS = ("amelie", "boris", "chidi", "divya", "erik", "fatima", "george", "hanako")


def service(name: str, instance: str = "7c9d9bd5c4-x2x7k") -> Resource:
    """Give the resource of a service, without what differs between machines or SDK versions."""
    return Resource(
        {
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "service.name": name,
            "service.version": "2024.11.3",
            "service.instance.id": f"{name}-{instance}",
            "deployment.environment.name": "production",
            "k8s.namespace.name": "shop",
            "host.arch": "amd64",
            "process.pid": 4711,
        }
    )


def request_attributes(seeded: Seeded) -> tuple[str, dict[str, Any]]:
    """Give the name and the eight attributes of a request, as the Flask instrumentation sets them."""
    random = seeded.random
    method, route, path = random.choice(ROUTES)
    path = path.format(number=random.randrange(1, 1_000_000), user=random.choice(USERS), hex=seeded.hex(16))
    attributes = {
        "http.request.method": fresh(method),
        "url.scheme": fresh("https"),
        "server.address": fresh("shop.example.com"),
        "server.port": int("8443"),
        "url.path": fresh(path),
        "user_agent.original": fresh(random.choice(AGENTS)),
        "http.route": route,
        "http.response.status_code": random.choice((200, 200, 200, 201, 204, 304, 404)),
    }
    return f"{method} {route}", attributes


SHOP_SOURCE = '''\
class PaymentDeclined(Exception):
    """The provider said no."""


def charge(provider, order, amount):
    if amount % 7 == 0:
        raise PaymentDeclined(f"{provider} declined order {order}: insufficient funds for {amount / 100:.2f} EUR")
    return {"order": order}["receipt"]


def checkout(provider, order, amount):
    receipt = charge(provider, order, amount)
    return receipt


def retried(call, attempts, *arguments):
    if attempts == 0:
        return call(*arguments)
    return retried(call, attempts - 1, *arguments)


def view(provider, order, amount, attempts):
    try:
        return retried(checkout, attempts, provider, order, amount)
    except PaymentDeclined as declined:
        raise RuntimeError(f"checkout of order {order} failed") from declined


def dispatch(*arguments):
    try:
        view(*arguments)
    except Exception as error:
        return error
'''
SHOP_FILE = "/srv/shop/checkout/payment.py"


def shop_dispatcher() -> Callable[[str, int, int, int], Exception]:
    """Compile a small application whose stack traces look the same wherever this repository lies."""
    # Lines in linecache give the traceback its source lines.
    linecache.cache[SHOP_FILE] = (len(SHOP_SOURCE), None, SHOP_SOURCE.splitlines(keepends=True), SHOP_FILE)
    module: dict[str, Any] = {"__name__": "shop.checkout.payment"}
    exec(compile(SHOP_SOURCE, SHOP_FILE, "exec"), module)  # the text above, under a fixed file name
    dispatch: Callable[[str, int, int, int], Exception] = module["dispatch"]
    return dispatch
