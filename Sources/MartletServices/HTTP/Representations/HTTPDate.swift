import Synchronization

/// A date of HTTP: whole seconds since 1970, in GMT (RFC 9110 section 5.6.7).
struct HTTPDate: Comparable, Hashable, Sendable {
  /// Seconds since 1 January 1970, without leap seconds.
  var secondsSinceEpoch: Int64

  init(secondsSinceEpoch: Int64) { self.secondsSinceEpoch = secondsSinceEpoch }

  static func < (left: HTTPDate, right: HTTPDate) -> Bool { left.secondsSinceEpoch < right.secondsSinceEpoch }

  private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  static let longWeekdays = [
    "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday",
  ]
  static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// Year, month (1 to 12) and day of a count of days since 1970, in the Gregorian calendar.
  static func civil(fromDays days: Int64) -> (year: Int64, month: Int, day: Int) {
    // Years are counted from 1 March, so that the leap day is the last of its year; 146,097 days are 400 years.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    let month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  static func days(year: Int64, month: Int, day: Int) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * Int64(month > 2 ? month - 3 : month + 9) + 2) / 5 + Int64(day) - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// Date and time of day, in GMT.
  var components: (year: Int64, month: Int, day: Int, hour: Int, minute: Int, second: Int, weekday: Int) {
    let (days, second) = secondsSinceEpoch.flooredDivision(by: 86_400)
    let (year, month, day) = Self.civil(fromDays: days)
    return (
      year, month, day, Int(second / 3_600), Int(second / 60 % 60), Int(second % 60),
      Int(days.flooredDivision(by: 7).remainder)
    )
  }
}

/// The text of the last date that was asked for: many answers have the same.
final class DateText: Sendable {
  private let last = Mutex((date: HTTPDate(secondsSinceEpoch: 0), text: HTTPDate(secondsSinceEpoch: 0).description))

  func text(of date: HTTPDate) -> String {
    last.withLock { last in
      if last.date != date { last = (date, date.description) }
      return last.text
    }
  }
}

extension HTTPDate: CustomStringConvertible {
  /// The preferred form (IMF-fixdate): `Sun, 06 Nov 1994 08:49:37 GMT`.
  var description: String {
    let (year, month, day, hour, minute, second, weekday) = components
    return "\(Self.weekdays[weekday]), \(padded(day)) \(Self.months[month - 1]) \(padded(Int(year), to: 4)) "
      + "\(padded(hour)):\(padded(minute)):\(padded(second)) GMT"
  }
}

extension HTTPDate {
  /// Reads any of the three forms; nil is what no form allows.
  ///
  /// - Parameter now: What two digits of a year are near to: no date of the form of RFC 850 is more than 50 years ahead.
  init?(_ text: some StringProtocol, now: HTTPDate) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    let fields: (weekday: Substring, day: Substring, month: Substring, year: Substring, time: Substring)
    var isShort = false
    if words.count == 6, words[0].utf8.count == 4, words[0].last == ",", words[5] == "GMT" {
      guard words[1].utf8.count == 2, words[3].utf8.count == 4 else { return nil }
      fields = (
        Substring(words[0].dropLast()), Substring(words[1]), Substring(words[2]), Substring(words[3]),
        Substring(words[4])
      )
      guard Self.weekdays.contains(String(fields.weekday)) else { return nil }
    } else if words.count == 4, words[0].last == ",", words[3] == "GMT" {
      let date = words[1].split(separator: "-", omittingEmptySubsequences: false)
      guard date.count == 3, date[0].utf8.count == 2, date[2].utf8.count == 2,
        Self.longWeekdays.contains(String(words[0].dropLast()))
      else { return nil }
      isShort = true
      fields = (
        Substring(words[0]), Substring(date[0]), Substring(date[1]), Substring(date[2]), Substring(words[2])
      )
    } else if words.count == 5 || (words.count == 6 && words[2].isEmpty) {
      // asctime: the day stands in two columns, with a blank for a missing digit.
      let words = words.filter { !$0.isEmpty }
      guard words.count == 5, Self.weekdays.contains(String(words[0])), words[4].utf8.count == 4,
        (1...2).contains(words[2].utf8.count)
      else { return nil }
      fields = (
        Substring(words[0]), Substring(words[2]), Substring(words[1]), Substring(words[4]), Substring(words[3])
      )
    } else {
      return nil
    }
    let time = fields.time.split(separator: ":", omittingEmptySubsequences: false)
    guard time.count == 3, time.allSatisfy({ $0.utf8.count == 2 }),
      let month = Self.months.firstIndex(where: { $0 == fields.month }).map({ $0 + 1 }),
      let day = decimal(fields.day), let hour = decimal(time[0]), let minute = decimal(time[1]),
      let second = decimal(time[2]), var year = decimal(fields.year), hour < 24, minute < 60, second <= 60, day >= 1
    else { return nil }
    if isShort {
      let thisYear = now.components.year
      year += thisYear / 100 * 100
      if year > thisYear + 50 { year -= 100 }
    }
    let days = Self.days(year: year, month: month, day: Int(day))
    // A 31st of April would come out as another day.
    guard Self.civil(fromDays: days) == (year, month, Int(day)) else { return nil }
    secondsSinceEpoch = days * 86_400 + hour * 3_600 + minute * 60 + second
  }
}

/// Digits alone, no sign; nil if there are none or too many for the type.
func decimal(_ text: some StringProtocol) -> Int64? {
  guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
    return nil
  }
  return Int64(text)
}

/// `value` with zeros in front up to `count` digits.
func padded(_ value: Int, to count: Int = 2) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
}

extension Int64 {
  /// Quotient and remainder with the remainder never negative, for a positive divisor.
  func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
