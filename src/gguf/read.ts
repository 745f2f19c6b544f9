export async function readGguf(file: string): Promise<{ file: string }> {
  return { file }
}
