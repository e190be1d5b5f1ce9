//! Names in Latin letters.

use pinyin::ToPinyin;

/// Surnames that are pronounced differently from the same characters elsewhere; those of two characters first.
const SURNAMES: &[(&str, &str)] = &[
    ("单于", "chanyu"),
    ("万俟", "moqi"),
    ("尉迟", "yuchi"),
    ("澹台", "tantai"),
    ("长孙", "zhangsun"),
    ("令狐", "linghu"),
    ("宰父", "zaifu"),
    ("亓官", "qiguan"),
    ("单", "shan"),
    ("仇", "qiu"),
    ("解", "xie"),
    ("曾", "zeng"),
    ("查", "zha"),
    ("盖", "ge"),
    ("区", "ou"),
    ("朴", "piao"),
    ("尉", "wei"),
    ("缪", "miao"),
    ("翟", "zhai"),
    ("乐", "yue"),
    ("任", "ren"),
    ("华", "hua"),
    ("员", "yun"),
    ("折", "she"),
    ("黑", "he"),
    ("种", "chong"),
    ("秘", "bi"),
    ("召", "shao"),
    ("覃", "qin"),
    ("晁", "chao"),
    ("谌", "chen"),
    ("逄", "pang"),
    ("祭", "zhai"),
    ("繁", "po"),
    ("宓", "mi"),
    ("能", "nai"),
    ("隗", "wei"),
    ("佴", "nai"),
    ("乜", "nie"),
    ("幺", "yao"),
    ("车", "che"),
    ("石", "shi"),
    ("纪", "ji"),
    ("燕", "yan"),
    ("宁", "ning"),
    ("訾", "zi"),
    ("郇", "xun"),
    ("洗", "xian"),
    ("冼", "xian"),
];

/// A name in lower-case letters without tones and blanks; other characters than Chinese ones stay as they are (quirk
/// "4.4 pinyin"). The first character is read as a surname when the name is Chinese.
pub(crate) fn pinyin(name: &str) -> String {
    let name = name.trim_start();
    let surname = SURNAMES.iter().find(|(sign, _)| name.starts_with(sign));
    let (mut text, rest) = match surname {
        Some((sign, letters)) => ((*letters).to_owned(), &name[sign.len()..]),
        None => (String::new(), name),
    };
    for sign in rest.chars().filter(|sign| !sign.is_whitespace()) {
        match sign.to_pinyin() {
            Some(letters) => text.push_str(letters.plain()),
            None => text.extend(sign.to_lowercase()),
        }
    }
    // ü is not on keyboards.
    text.replace('ü', "v")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_letters() {
        let cases = [
            ("张三", "zhangsan"),
            ("欧阳 修", "ouyangxiu"),
            ("Rose", "rose"),
            ("王Tom 2", "wangtom2"),
            ("吕布", "lvbu"),
            ("Žofie", "žofie"),
            ("", ""),
        ];
        for (name, letters) in cases {
            assert_eq!(pinyin(name), letters, "{name}");
        }
    }

    #[test]
    fn surnames_are_read_as_surnames() {
        let cases = [
            ("单雄信", "shanxiongxin"),
            ("单于", "chanyu"),
            ("仇英", "qiuying"),
            ("解缙", "xiejin"),
            ("曾国藩", "zengguofan"),
            ("查良镛", "zhaliangyong"),
            ("区寄", "ouji"),
            ("朴素", "piaosu"),
            ("任正非", "renzhengfei"),
            ("尉迟恭", "yuchigong"),
            ("万俟咏", "moqiyong"),
            ("翟志刚", "zhaizhigang"),
            ("乐毅", "yueyi"),
            ("缪荃孙", "miaoquansun"),
        ];
        for (name, letters) in cases {
            assert_eq!(pinyin(name), letters, "{name}");
        }
        assert_eq!(pinyin("张单"), "zhangdan", "elsewhere it is no surname");
    }
}
