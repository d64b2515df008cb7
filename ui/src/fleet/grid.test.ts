// Tests that cells fit the available width, and that arrow keys move to the next cell in their
// direction.
import { describe, expect, it } from 'vitest';
import { densityOf, gridOf, rows, step } from './grid';

describe('the grid', () => {
  it.each([3, 60, 1000])('has a cell for %i hosts at every width', (hosts) => {
    for (const room of [200, 326, 700, 1040, 2000]) {
      const grid = gridOf(densityOf(hosts, 9, room), 9, room);
      expect(grid.columns * grid.width).toBeLessThanOrEqual(Math.max(room, grid.width));
      expect(rows(grid, hosts) * grid.columns).toBeGreaterThanOrEqual(hosts);
      expect(Math.min(grid.width, grid.height)).toBeGreaterThanOrEqual(28);
    }
  });
  it('is wider for long names, if it can be', () => {
    expect(gridOf('names', 20, 1040).width).toBeGreaterThan(gridOf('names', 5, 1040).width);
    expect(gridOf('names', 63, 200)).toMatchObject({ columns: 1, width: 200 });
  });
  it('shows fewer words for many hosts', () => {
    const at = (room: number) => [3, 60, 200, 1000].map((hosts) => densityOf(hosts, 9, room));
    expect(at(1096)).toEqual(['words', 'names', 'names', 'marks']);
    expect(at(358)).toEqual(['words', 'names', 'marks', 'marks']);
  });
  it('fits 1000 hosts on a wide screen', () => expect(rows(gridOf('marks', 9, 1040), 1000) * 28).toBeLessThan(800));
});

describe('the arrow keys', () => {
  // Two sections with three columns. The first section has the rows 0 1 2 and 3 4, and the second
  // section has the rows 5 6 7 and 8.
  const go = (at: number, key: Parameters<typeof step>[3]) => step([5, 4], 3, at, key);
  it('move along a row, and stop at the ends', () => expect([go(4, 'ArrowRight'), go(8, 'ArrowRight'), go(0, 'ArrowLeft'), go(7, 'Home'), go(1, 'End')]).toEqual([5, 8, 0, 0, 8]));
  it('move up and down through rows and sections', () => {
    expect([go(0, 'ArrowDown'), go(2, 'ArrowDown'), go(3, 'ArrowDown'), go(7, 'ArrowDown')]).toEqual([3, 4, 5, 8]);
    expect([go(8, 'ArrowUp'), go(7, 'ArrowUp'), go(1, 'ArrowUp'), go(8, 'ArrowDown')]).toEqual([5, 4, 1, 8]);
  });
});
