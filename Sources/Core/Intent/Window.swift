/// Where two versions of a list differ: what lies between their longest common
/// beginning and their longest common end.
///
/// Lists of thousands that changed in one place cost one comparison an element,
/// and that is cheap as long as elements share their storage.
struct Window {
  let old: Range<Int>
  let new: Range<Int>

  init<Element: Equatable>(from old: [Element], to new: [Element]) {
    let shorter = min(old.count, new.count)
    var head = 0
    var tail = 0
    old.withUnsafeBufferPointer { old in
      new.withUnsafeBufferPointer { new in
        if old.count == new.count, old.baseAddress == new.baseAddress { head = shorter }
        while head < shorter, old[head] == new[head] { head += 1 }
        while tail < shorter - head, old[old.count - 1 - tail] == new[new.count - 1 - tail] {
          tail += 1
        }
      }
    }
    self.old = head..<(old.count - tail)
    self.new = head..<(new.count - tail)
  }
}
