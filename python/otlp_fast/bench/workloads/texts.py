"""The words that the `text` workload is written in: one alphabet per way that CPython stores a str.

CPython keeps a str as ASCII, Latin-1 (one byte per character), UCS-2 or UCS-4, whichever is the narrowest that fits.
An encoder reads each form in its own way, so each is here. The words mix with ASCII punctuation and digits, as messages
of real services do.
"""


def words(*lines: str) -> list[str]:
    """Split lines of text into words."""
    return " ".join(lines).split()


ALPHABETS: dict[str, list[str]] = {
    "ascii": words(
        "Upstream connect error or disconnect before headers; reset reason: connection termination, transport failure",
        "while reading the response body of the payment provider after the second retry",
    ),
    "latin1": words(
        "Réponse inattendue du dépôt, Überprüfung läuft noch, dirección no válida, señal caída, größer, über 80 %,",
        "clé privée expirée, naïve façade, Schlüssel gelöscht, año pasado, coração útil",
    ),
    "cyrillic": words(
        "Не удалось соединиться с базой данных, повторная попытка через несколько секунд,",  # noqa: RUF001
        "заказ отменён, платёж принят, сервер перегружен, время ожидания истекло",
    ),
    "cjk": words(
        "数据库 连接 超时 注文 が 見つかり ません 支払い 完了 서버 응답 없음",
        "재시도 请求 已 取消 在庫 切れ 검색 결과 2024 年",
    ),
    "emoji": words(
        "deploy 🚀 finished ✅ cart 🛒 empty 😢 retry 🔁 fire 🔥 in 🏭 party 🎉 user",
        "🧑‍💻 typed 🇨🇦 family 👨‍👩‍👧‍👦 ok 👍🏽",
    ),
}
"""By name of the alphabet; `emoji` mixes ASCII with characters beyond the Basic Multilingual Plane."""
