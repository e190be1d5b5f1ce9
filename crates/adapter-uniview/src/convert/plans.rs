//! Arming times.

use domain::{DayWindow, WeeklyPlan};
use jiff::civil::{Time, Weekday};

use crate::codes::Fault;
use crate::wire::plans::{Period, Week};

/// Maximum number of periods of a day.
const MAX_PERIODS: usize = 8;
/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// The days in the order of the document.
const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// The plan of a week; `None` for one that covers no time at all.
pub(crate) fn plan(week: &Week) -> Result<Option<WeeklyPlan>, Fault> {
    let mut windows = Vec::new();
    for (day, periods) in DAYS.into_iter().zip(week.days()) {
        windows.extend(checked(periods)?.into_iter().map(|(from, to)| DayWindow {
            day,
            from: time(from),
            to: time(to),
        }));
    }
    Ok((!windows.is_empty()).then(|| WeeklyPlan::within(windows)))
}

/// The periods of a day as minutes, sorted.
fn checked(periods: &[Period]) -> Result<Vec<(u16, u16)>, Fault> {
    let mut all = Vec::new();
    for Period { start, end } in periods {
        let (start, end) = (minutes(start)?, minutes(end)?);
        if end <= start {
            return Err(Fault::argument("a period ends before it starts"));
        }
        all.push((start, end));
    }
    all.sort_unstable();
    if all.len() > MAX_PERIODS || all.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        return Err(Fault::argument("periods of a day overlap, or are more than 8"));
    }
    Ok(all)
}

/// `HH:MM` up to `24:00`.
fn minutes(text: &str) -> Result<u16, Fault> {
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split_once(':').filter(|(hour, minute)| digits(hour) && digits(minute));
    let minutes = parts.and_then(|(hour, minute)| {
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (minute < 60).then_some(hour * 60 + minute)
    });
    minutes.filter(|minutes| *minutes <= DAY).ok_or_else(|| Fault::argument("a time is not HH:MM"))
}

/// Midnight is the end of the day too.
fn time(minutes: u16) -> Time {
    let minutes = i32::from(minutes % DAY);
    Time::midnight().wrapping_add(jiff::SignedDuration::from_mins(i64::from(minutes)))
}

/// A plan as the document shows it.
pub(crate) fn week(plan: Option<&WeeklyPlan>) -> Week {
    let mut days: [Vec<(u16, u16)>; 7] = Default::default();
    match plan {
        None => {}
        Some(plan) if plan.windows().is_empty() => days.iter_mut().for_each(|day| day.push((0, DAY))),
        Some(plan) => plan.windows().iter().for_each(|window| put(&mut days, window)),
    }
    Week::of_days(days.map(|mut day| {
        day.sort_unstable();
        joined(day).into_iter().map(|(from, to)| Period { start: text(from), end: text(to) }).collect()
    }))
}

/// A window of another adapter may end on the next day.
fn put(days: &mut [Vec<(u16, u16)>; 7], window: &DayWindow) {
    let day = DAYS.iter().position(|day| *day == window.day).unwrap_or_default();
    let of = |time: Time| time.hour() as u16 * 60 + time.minute() as u16;
    let (from, to) = (of(window.from), of(window.to));
    if to > from {
        days[day].push((from, to));
    } else {
        days[day].push((from, DAY));
        if to > 0 {
            days[(day + 1) % 7].push((0, to));
        }
    }
}

/// Sorted periods, those that overlap made one.
fn joined(sorted: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    let mut joined: Vec<(u16, u16)> = Vec::new();
    for (from, to) in sorted {
        match joined.last_mut() {
            Some(last) if from < last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

fn text(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn monday(periods: &[(&str, &str)]) -> Week {
        let period = |(start, end): &(&str, &str)| Period { start: (*start).to_owned(), end: (*end).to_owned() };
        Week { monday: periods.iter().map(period).collect(), ..Week::default() }
    }

    #[test]
    fn a_plan_reads_back_sorted() {
        let sent = monday(&[("12:30", "24:00"), ("00:00", "04:00"), ("04:00", "05:00")]);
        let kept = plan(&sent).unwrap().unwrap();
        assert_eq!(week(Some(&kept)), monday(&[("00:00", "04:00"), ("04:00", "05:00"), ("12:30", "24:00")]));
        let whole = plan(&monday(&[("00:00", "24:00")])).unwrap().unwrap();
        assert_eq!(week(Some(&whole)), monday(&[("00:00", "24:00")]));
    }

    #[test]
    fn no_period_at_all_is_never_and_no_plan_is_always() {
        assert_eq!(plan(&Week::default()).unwrap(), None);
        assert_eq!(week(None), Week::default());
        let always = week(Some(&WeeklyPlan::always()));
        assert!(always.days().iter().all(|day| day.len() == 1 && day[0].start == "00:00" && day[0].end == "24:00"));
    }

    #[test]
    fn windows_over_midnight_are_shown_on_both_days() {
        let night = DayWindow { day: Weekday::Sunday, from: time(22, 0, 0, 0), to: time(6, 0, 0, 0) };
        let shown = week(Some(&WeeklyPlan::within(vec![night])));
        assert_eq!((shown.sunday[0].start.as_str(), shown.sunday[0].end.as_str()), ("22:00", "24:00"));
        assert_eq!((shown.monday[0].start.as_str(), shown.monday[0].end.as_str()), ("00:00", "06:00"));
    }

    #[test]
    fn impossible_periods_are_refused() {
        for bad in [
            ("04:00", "04:00"),
            ("05:00", "04:00"),
            ("24:00", "24:00"),
            ("1:00", "2:00"),
            ("00:60", "02:00"),
            ("00:00", "24:01"),
            ("+1:00", "02:00"),
            ("", "02:00"),
        ] {
            assert!(plan(&monday(&[bad])).is_err(), "{bad:?}");
        }
        assert!(plan(&monday(&[("00:00", "02:00"), ("01:00", "03:00")])).is_err());
        let nine: Vec<_> = (0..9).map(|hour| (format!("0{hour}:00"), format!("0{hour}:30"))).collect();
        let nine: Vec<_> = nine.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
        assert!(plan(&monday(&nine)).is_err() && plan(&monday(&nine[..8])).is_ok());
    }
}
