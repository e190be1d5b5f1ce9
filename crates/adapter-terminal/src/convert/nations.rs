//! The ethnic groups of appendix A.1, 1 to 57.

const NATIONS: [(&str, &str); 57] = [
    ("汉", "Han"),
    ("蒙古", "Mongol"),
    ("回", "Hui"),
    ("藏", "Tibetan"),
    ("维吾尔", "Uyghur"),
    ("苗", "Miao"),
    ("彝", "Yi"),
    ("壮", "Zhuang"),
    ("布依", "Bouyei"),
    ("朝鲜", "Korean"),
    ("满", "Manchu"),
    ("侗", "Dong"),
    ("瑶", "Yao"),
    ("白", "Bai"),
    ("土家", "Tujia"),
    ("哈尼", "Hani"),
    ("哈萨克", "Kazakh"),
    ("傣", "Dai"),
    ("黎", "Li"),
    ("傈僳", "Lisu"),
    ("佤", "Va"),
    ("畲", "She"),
    ("高山", "Gaoshan"),
    ("拉祜", "Lahu"),
    ("水", "Sui"),
    ("东乡", "Dongxiang"),
    ("纳西", "Naxi"),
    ("景颇", "Jingpo"),
    ("柯尔克孜", "Kyrgyz"),
    ("土", "Tu"),
    ("达斡尔", "Daur"),
    ("仫佬", "Mulao"),
    ("羌", "Qiang"),
    ("布朗", "Blang"),
    ("撒拉", "Salar"),
    ("毛南", "Maonan"),
    ("仡佬", "Gelao"),
    ("锡伯", "Xibe"),
    ("阿昌", "Achang"),
    ("普米", "Pumi"),
    ("塔吉克", "Tajik"),
    ("怒", "Nu"),
    ("乌孜别克", "Uzbek"),
    ("俄罗斯", "Russian"),
    ("鄂温克", "Ewenki"),
    ("德昂", "De'ang"),
    ("保安", "Bonan"),
    ("裕固", "Yugur"),
    ("京", "Gin"),
    ("塔塔尔", "Tatar"),
    ("独龙", "Derung"),
    ("鄂伦春", "Oroqen"),
    ("赫哲", "Hezhen"),
    ("门巴", "Monba"),
    ("珞巴", "Lhoba"),
    ("基诺", "Jino"),
    ("其他", "Other"),
];

/// The Chinese name of a code.
pub(crate) fn name(code: i64) -> Option<&'static str> {
    let place = usize::try_from(code.checked_sub(1)?).ok()?;
    NATIONS.get(place).map(|(name, _)| *name)
}

/// The code of a group by its Chinese or English name; 0 for others.
pub(crate) fn code(name: &str) -> usize {
    let bare = name.trim().trim_end_matches('族');
    let found = NATIONS.iter().position(|(zh, en)| *zh == bare || en.eq_ignore_ascii_case(bare));
    found.map_or(0, |place| place + 1)
}

/// As [`code`], but the last code, that of all other groups, for a group without one.
pub(crate) fn code_or_other(name: &str) -> usize {
    match code(name) {
        0 => NATIONS.len(),
        code => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for wanted in 1..=57 {
            assert_eq!(code(name(wanted).unwrap()) as i64, wanted);
        }
        assert_eq!((name(0), name(58), name(i64::MIN)), (None, None, None));
        assert_eq!((code("汉族"), code("han"), code("")), (1, 1, 0));
        assert_eq!((code_or_other("han"), code_or_other("")), (1, 57));
    }
}
