//! Strings like those of telemetry, made from word lists by a fixed pseudo-random sequence.
//!
//! A benchmark that transcodes one string over and over measures a branch predictor that knows it by heart. So every
//! input is a set of different strings, and a run goes through the whole set.

/// Strings of a set.
pub const STRINGS: usize = 512;

const ENGLISH: &[&str] = &[
    "request",
    "failed",
    "with",
    "status",
    "503",
    "retry",
    "in",
    "30s",
    "user_id=4711",
    "GET",
    "/api/v1/orders/{id}",
    "connection",
    "reset",
    "by",
    "peer",
    "timeout",
    "after",
    "2500ms",
    "cart",
    "checkout",
    "ok",
    "the",
    "payment",
    "was",
];
const FRENCH: &[&str] = &[
    "échec",
    "de",
    "la",
    "requête",
    "après",
    "trois",
    "essais",
    "le",
    "délai",
    "est",
    "dépassé",
    "pour",
    "l'utilisateur",
    "commande",
    "validée",
    "à",
    "Besançon",
    "paiement",
    "refusé",
    "serveur",
    "où",
    "déjà",
    "reçu",
    "dans",
    "une",
];
const GERMAN: &[&str] = &[
    "Bestellung",
    "für",
    "Straße",
    "nicht",
    "gefunden",
    "Zahlung",
    "abgelehnt",
    "Größe",
    "über",
    "Prüfung",
    "der",
    "Anfrage",
    "wurde",
    "nach",
    "drei",
    "Versuchen",
    "abgebrochen",
    "München",
    "Köln",
    "ungültig",
    "Schlüssel",
    "und",
];
const RUSSIAN: &[&str] = &[
    "ошибка",
    "при",
    "обработке",
    "запроса",
    "пользователь",
    "не",
    "найден",
    "заказ",
    "оплачен",
    "время",
    "ожидания",
    "истекло",
    "сервер",
    "в",
    "и",
    "Москва",
    "недоступен",
    "повтор",
    "через",
    "30",
    "секунд",
    "товар",
    "корзина",
];
const CHINESE: &[&str] = &[
    "请求处理失败",
    "用户",
    "订单已支付",
    "连接超时",
    "，",
    "服务器",
    "重试",
    "正在",
    "数据库",
    "库存不足",
    "。",
    "第3次",
    "商品",
    "购物车",
    "无法",
    "读取配置文件",
    "北京",
    "上海市浦东新区",
    "：",
    "成功",
    "返回结果为空",
];
const JAPANESE: &[&str] = &[
    "リクエスト",
    "が",
    "失敗しました",
    "ユーザー",
    "の",
    "注文を",
    "確認",
    "してください",
    "、",
    "サーバー",
    "は",
    "タイムアウト",
    "東京都",
    "支払い",
    "完了",
    "。",
    "エラー",
    "データベース",
    "に",
    "接続できません",
    "ID",
];
const EMOJI: &[&str] = &["🚀", "✅", "🔥", "😀", "⚠️", "👍🏽", "🎉", "💳", "🧑‍💻"];
const KEYS: &[&str] = &["order", "customer", "city", "items", "currency", "note", "tags", "createdAt", "sku"];

/// A linear congruential generator: all that is needed, and the same strings on every machine.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }
}

/// One set of strings.
pub struct Input {
    /// What it is, as a benchmark name.
    pub name: &'static str,
    /// The strings.
    pub strings: Vec<String>,
}

/// All sets.
pub fn inputs() -> Vec<Input> {
    let french = |s: &mut Sequence| format!("{} ", s.pick(FRENCH));
    let german = |s: &mut Sequence| format!("{} ", s.pick(GERMAN));
    let russian = |s: &mut Sequence| format!("{} ", s.pick(RUSSIAN));
    let cjk = |s: &mut Sequence| {
        let words = if s.below(2) == 0 { CHINESE } else { JAPANESE };
        s.pick(words).to_owned()
    };
    let rare = |odd: &'static [&'static str], one_in: usize| {
        move |s: &mut Sequence| {
            if s.below(one_in) == 0 { s.pick(odd).to_owned() } else { s.pick(ENGLISH).to_owned() + " " }
        }
    };
    let json = |s: &mut Sequence| {
        let value = if s.below(4) == 0 { s.pick(CHINESE).to_owned() } else { format!("{:x}", s.below(1 << 24)) };
        format!("\"{}\":\"{value}\",", s.pick(KEYS))
    };
    let chat = |s: &mut Sequence| {
        if s.below(5) == 0 { s.pick(EMOJI).to_owned() } else { format!("{} ", s.pick(RUSSIAN)) }
    };
    let cjk_emoji = move |s: &mut Sequence| if s.below(6) == 0 { s.pick(EMOJI).to_owned() } else { cjk(s) };
    vec![
        set("latin1/german-2..8", 2, 8, "ü", german),
        set("latin1/german-8..16", 8, 16, "ü", german),
        set("latin1/german-16..40", 16, 40, "ü", german),
        set("latin1/french-20..200", 20, 200, "é", french),
        set("latin1/log-2000", 1500, 2500, "é", rare(FRENCH, 20)),
        set("ucs2/cyrillic-2..8", 2, 8, "ж", russian),
        set("ucs2/cyrillic-8..16", 8, 16, "ж", russian),
        set("ucs2/cyrillic-20..200", 20, 200, "ж", russian),
        set("ucs2/cjk-8..16", 8, 16, "中", cjk),
        set("ucs2/cjk-20..200", 20, 200, "中", cjk),
        set("ucs2/json-cjk-20..200", 20, 200, "中", json),
        set("ucs2/json-cjk-2000", 1500, 2500, "中", json),
        set("ucs2/log-2000", 1500, 2500, "…", rare(&["…", "“", "”", "→"], 25)),
        set("ucs4/emoji-8..16", 8, 16, "🚀", rare(EMOJI, 8)),
        set("ucs4/emoji-16..24", 16, 24, "🚀", rare(EMOJI, 8)),
        set("ucs4/emoji-20..200", 20, 200, "🚀", rare(EMOJI, 8)),
        set("ucs4/cyrillic-emoji-8..16", 8, 16, "🚀", chat),
        set("ucs4/cyrillic-emoji-20..200", 20, 200, "🚀", chat),
        set("ucs4/cjk-emoji-20..200", 20, 200, "🚀", cjk_emoji),
        set("ucs4/log-2000", 1500, 2500, "🔥", rare(EMOJI, 40)),
    ]
}

/// Strings of `shortest` to `longest` characters, cut from words; each has at least one `odd` character, without which
/// CPython would store it in another form.
fn set(
    name: &'static str,
    shortest: usize,
    longest: usize,
    odd: &str,
    word: impl Fn(&mut Sequence) -> String,
) -> Input {
    let mut sequence = Sequence(name.len() as u64);
    let strings = (0..STRINGS).map(|_| {
        let length = shortest + sequence.below(longest - shortest + 1);
        let mut text = String::new();
        while text.chars().count() < length - 1 {
            text += &word(&mut sequence);
        }
        let mut text: String = text.chars().take(length - 1).collect();
        let place = sequence.below(length);
        let place = text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte);
        text.insert_str(place, odd);
        text
    });
    Input { name, strings: strings.collect() }
}
