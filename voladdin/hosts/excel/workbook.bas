Option Explicit

Private WithEvents host As Application

Private Sub Workbook_Open()
    Set host = Application
    If Not ActiveWorkbook Is Nothing Then Describe
End Sub

Private Sub host_WorkbookActivate(ByVal book As Workbook)
    Describe
End Sub

Private Sub Describe()
    ' Once: the texts of the function wizard stay while Excel runs.
    Dim done As Boolean
    DescribeFunctions done
    If done Then Set host = Nothing
End Sub
